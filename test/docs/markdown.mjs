// Finds the fenced code blocks of a page (CommonMark 4.5), and the examples in the comments of a source.

/**
 * @typedef {object} Block
 * @property {string} page the path of its page
 * @property {number} line of its opening fence, from 1
 * @property {string} name `page:line language`, as its test is called
 * @property {string} language the first word behind the fence, in lower case
 * @property {string} code
 * @property {string} prose the last line of text before it
 * @property {string} after the first line of text behind it
 * @property {Block | undefined} previous the block before it on the page
 */

/**
 * @param {string} page its path
 * @param {string} text what stands in it
 * @returns {Block[]}
 */
export function blocksOf(page, text) {
  const blocks = [];
  let prose = '';
  let open;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (open === undefined) {
      const [, indent, fence, language] = /^([ >]*)(`{3,}|~{3,})\s*([^\s`]*)[^`]*$/.exec(line) ?? [];
      if (fence !== undefined) open = { indent: indent.length, fence, language, line: index + 1, lines: [] };
      else if (line.trim() !== '') {
        prose = line.trim();
        const last = blocks.at(-1);
        if (last?.after === '') last.after = prose;
      }
    } else if (line.trim().startsWith(open.fence) && /^[ >]*(`+|~+)\s*$/.test(line)) {
      const { line, language, lines } = open;
      const name = `${page}:${line} ${language}`.trim();
      const code = `${lines.join('\n')}\n`;
      blocks.push({
        page,
        line,
        name,
        language: language.toLowerCase(),
        code,
        prose,
        after: '',
        previous: blocks.at(-1),
      });
      open = undefined;
    } else {
      open.lines.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)));
    }
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: the block is not closed`);
  return blocks;
}

/**
 * The examples of TSDoc comments: what stands behind `@example`, with a fence or without one, up to the next tag.
 * @param {string} page the path of a source
 * @param {string} text what stands in it
 * @returns {Block[]} in TypeScript, as the source, unless a fence says otherwise
 */
export function examplesOf(page, text) {
  const lines = text.split('\n');
  return lines.flatMap((first, index) => {
    if (!/^\s*\* @example/.test(first)) return [];
    const rest = lines.slice(index + 1);
    const end = rest.findIndex((line) => /^\s*(\*\/|\* @)/.test(line));
    const code = rest.slice(0, end).map((line) => line.replace(/^\s*\* ?/, ''));
    const fenced = code.some((line) => line.startsWith('```')) ? code : ['```ts', ...code, '```'];
    const offset = fenced === code ? 1 : 0;
    return blocksOf(page, fenced.join('\n')).map((block) => {
      const line = block.line + index + offset;
      return { ...block, line, name: `${page}:${line} @example ${block.language}`, previous: undefined };
    });
  });
}

/**
 * A block with what it continues: every block before it on the page, in the same languages, back to one that begins a
 * program. The blocks stand on the lines that they have on the page, so that messages name these.
 * @param {Block} block
 * @param {(block: Block) => boolean} begins whether it begins a program
 * @param {string} how to say in an error what begins a program
 * @param {string[]} languages those that one program may be written in
 */
export function programOf(block, begins, how, languages) {
  const parts = [block];
  while (!begins(parts[0])) {
    let earlier = parts[0].previous;
    while (earlier !== undefined && !languages.includes(earlier.language)) earlier = earlier.previous;
    if (earlier === undefined) throw new Error(`it has no ${how}, and no block before it that it could continue`);
    parts.unshift(earlier);
  }
  const lines = [];
  for (const { line, code } of parts) {
    while (lines.length < line) lines.push('');
    lines.push(...code.trimEnd().split('\n'));
  }
  return `${lines.join('\n')}\n`;
}

/** Every option says what holds when it is not given. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const folder = path.join(__dirname, '../../lib');
const options = /(Options|Settings)$/;

/** The members of interfaces of options, with their comments. */
function membersOf(file: string): { name: string; comment: string }[] {
  const text = readFileSync(path.join(folder, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  return source.statements
    .filter(ts.isInterfaceDeclaration)
    .filter(({ name }) => options.test(name.text) && !name.text.startsWith('Resolved'))
    .flatMap((each) => each.members.map((member) => ({ owner: each.name.text, member })))
    .map(({ owner, member }) => ({
      name: `${owner}.${member.name?.getText(source)}`,
      comment: ts
        .getJSDocCommentsAndTags(member)
        .map((part) => part.getText(source))
        .join(' ')
        .replace(/\s+\* /g, ' '),
    }));
}

const files = ['options.ts', 'server-options.ts', 'message-writer.ts', 'prepared-message.ts', 'stream.ts', 'events.ts'];
const members = files.flatMap(membersOf);

test('there are options to look at', () => {
  expect(members.length).toBeGreaterThan(60);
  expect(members.map(({ name }) => name)).toContain('ConnectionSettings.maxPayload');
});

test.each(members)('$name', ({ comment }) => {
  expect(comment).toMatch(/Default: |[Ww]ithout effect|default: /);
});

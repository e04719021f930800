// A reporter for Node's test runner: one line of JSON for each test that ran, as scripts/test.mjs counts them.
import path from 'node:path';

export default async function* report(source) {
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details.type === 'suite' || data.skip !== undefined) continue;
    const file = path.basename(data.file ?? '', '.test.mjs');
    // A file that could not run, or did not end, has its path for a name.
    const name = data.name === data.file ? file : `${file}: ${data.name}`;
    const seconds = data.details.duration_ms / 1000;
    yield `${JSON.stringify({ name, seconds, failed: type === 'test:fail' })}\n`;
  }
}

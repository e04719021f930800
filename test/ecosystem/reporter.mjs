// A reporter for Node's test runner: one line of JSON for each test that ran, as scripts/test.mjs counts them.
import path from 'node:path';

export default async function* report(source) {
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details.type === 'suite' || data.skip !== undefined) continue;
    const file = path.basename(data.file ?? '', '.test.mjs');
    const seconds = data.details.duration_ms / 1000;
    yield `${JSON.stringify({ name: `${file}: ${data.name}`, seconds, failed: type === 'test:fail' })}\n`;
  }
}

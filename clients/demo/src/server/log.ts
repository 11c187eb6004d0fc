/** The demo's log: a line a sentence, without names, titles, or secrets. */
export function log(sentence: string, fields: Record<string, string | number> = {}): void {
  const beside = Object.entries(fields).map(([name, value]) => ` ${name}=${value}`);
  process.stdout.write(`${new Date().toISOString()} ${sentence}${beside.join("")}\n`);
}

/** Texts as string literals, each language's own: a configured key or secret may hold any character. */

/** For JavaScript, Python and C#, whose escapes are those of JSON as far as it has any. */
export const quoted = (text: string): string => JSON.stringify(text);

/** For a POSIX shell. */
export const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** For PHP. */
export const phpQuoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/** For a .env file: bare where nothing could be misread. */
export function envQuoted(text: string): string {
  if (/^[A-Za-z0-9_.:-]*$/.test(text)) return text;
  return `"${text.replaceAll(/["\\$]/g, "\\$&")}"`;
}

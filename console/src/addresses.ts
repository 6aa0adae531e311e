/** Where the pages about an app are, below /console. */

type Query = Record<string, string>;

/** The address of a page of an app. Each segment may hold whatever it likes. */
export function appPage(appId: string, segments: string[] = [], query: Query = {}): string {
  const search = new URLSearchParams(query);
  const path = ["", "apps", appId, ...segments].map(encodeURIComponent).join("/");
  return search.size > 0 ? `${path}?${search}` : path;
}

/** The value that a segment of the address stands for: the router leaves some of its characters percent-encoded. */
export function segmentValue(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

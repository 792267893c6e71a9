/** GETs a URL and gives the body when the answer is 200; undefined otherwise. */
export async function answerOf(url: string, signal: AbortSignal): Promise<string | undefined> {
  const response = await fetch(url, { signal });
  const body = await response.text();
  return response.ok ? body : undefined;
}

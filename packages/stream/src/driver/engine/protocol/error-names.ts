/** Kafka's name of what a broker answered; 0 is `NONE`. */
export function nameOf(code: number): string {
  return code === 0 ? 'NONE' : `error ${code}`;
}

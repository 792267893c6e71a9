/** There is no connection any more, or it is of no use: said by ourselves, not by the library. */
export class LineEnded extends Error {
  override readonly name: string = 'LineEnded';
}

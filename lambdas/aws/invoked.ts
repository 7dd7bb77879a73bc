import type { Context } from 'aws-lambda'
import type { AwsLog } from '../../lib/adapters/aws/logger.ts'

export interface InvokedPorts extends Pick<AwsLog, 'begin'> {
  /** Resolves when nothing is under way any more that nobody waits for. */
  readonly settled?: () => Promise<void>
}

/** A handler as Lambda calls it: what is logged meanwhile names the invocation. */
export const invoked =
  <E, R>({ begin, settled }: InvokedPorts, handler: (event: E) => Promise<R>) =>
  async (event: E, context: Context): Promise<R> => {
    begin(context)
    try {
      return await handler(event)
    } finally {
      await settled?.()
    }
  }

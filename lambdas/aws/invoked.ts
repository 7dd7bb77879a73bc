import type { Context } from 'aws-lambda'
import type { AwsLog } from '../../lib/adapters/aws/logger.ts'

/** A handler as Lambda calls it: what is logged meanwhile names the invocation. */
export const invoked =
  <E, R>({ begin }: Pick<AwsLog, 'begin'>, handler: (event: E) => Promise<R>) =>
  (event: E, context: Context): Promise<R> => {
    begin(context)
    return handler(event)
  }

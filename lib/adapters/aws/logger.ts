import { LogFormatter, Logger, LogItem } from '@aws-lambda-powertools/logger'
import type {
  LogAttributes,
  LogLevel as PowertoolsLevel,
  UnformattedAttributes,
} from '@aws-lambda-powertools/logger/types'
import type { Context } from 'aws-lambda'
import type { Log, LogFields } from '../../core/ports.ts'
import { allowedFields, type LogLevel } from '../log.ts'

export interface AwsLogOptions {
  readonly stage: string
  readonly level: LogLevel
  /** Takes one line without its end. Left out: stderr. */
  readonly write?: (line: string) => void
}

/** The log of a process in AWS. */
export interface AwsLog extends Log {
  /** Every line from now on names this invocation. */
  begin(invocation: Context): void
}

/**
 * The lines of lib/adapters/log.ts with what AWS knows beside them: stage, invocation, cold start, trace. They are
 * written by Powertools, but its own fields are not: they hold ARNs, and would hold whatever was thrown.
 */
export function createAwsLog({ stage, level, write = toStderr }: AwsLogOptions): AwsLog {
  const logger = new Lines(write, {
    ...{ serviceName: 'verbatim', environment: stage, logFormatter: new Format() },
    logLevel: level.toUpperCase() as Uppercase<LogLevel> & PowertoolsLevel,
  })
  return { ...bound(logger, {}), begin: (invocation) => logger.addContext(invocation) }
}

/** Not a child of the logger, which would keep the invocation it was made in. */
function bound(logger: Logger, fields: LogFields): Log {
  const at =
    (level: 'info' | 'warn' | 'error') =>
    (event: string, more: LogFields = {}) =>
      logger[level](event, allowedFields({ ...fields, ...more }))
  return {
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (more) => bound(logger, { ...fields, ...more }),
  }
}

/** One JSON object a line: `{time, level, event, service, stage, …fields}`. */
class Format extends LogFormatter {
  override formatAttributes(known: UnformattedAttributes, fields: LogAttributes): LogItem {
    const { timestamp, logLevel, message, serviceName, environment, lambdaContext, xRayTraceId } = known
    return new LogItem({
      attributes: {
        ...{ time: this.formatTimestamp(timestamp), level: logLevel.toLowerCase(), event: message },
        ...{ service: serviceName, stage: environment },
        invocation: lambdaContext?.awsRequestId,
        // Said where it is true; else it would be in every line.
        coldStart: lambdaContext?.coldStart || undefined,
        traceId: xRayTraceId,
        ...fields,
      },
    })
  }
}

class Lines extends Logger {
  readonly #write: (line: string) => void

  constructor(write: (line: string) => void, options: ConstructorParameters<typeof Logger>[0]) {
    super(options)
    this.#write = write
  }

  protected override printLog(_level: number, item: LogItem): void {
    item.prepareForPrint()
    this.#write(JSON.stringify(item.getAttributes()))
  }
}

const toStderr = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

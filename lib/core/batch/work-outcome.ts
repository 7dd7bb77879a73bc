/**
 * How one delivery of a message ended.
 *
 * `sharded`: the job is planned, its shards are on their way. `heard`: a shard is done, others are not. `again`: the
 * message must be delivered once more. `elsewhere`: the recording is too long for this worker, and others have been told.
 */
export interface WorkOutcome {
  readonly outcome:
    | 'completed'
    | 'failed'
    | 'stopped'
    | 'sharded'
    | 'heard'
    | 'nothing-to-do'
    | 'again'
    | 'elsewhere'
}

import type { Command } from 'commander'
import type { Run } from '../context.ts'
import { type UploadFlags, withUploadOptions } from './options.ts'
import { transcribe } from './transcribe.ts'

export function addUpload(program: Command, run: Run): void {
  const command = program
    .command('upload')
    .description('upload recordings and print their job ids, without waiting')
    .argument('<file...>', 'recordings, directories, quoted patterns, or - for stdin')
  withUploadOptions(command)
    .addHelpText('after', EXAMPLES)
    .action((files: string[], flags: UploadFlags) =>
      run((context) => transcribe(context, files, { ...flags, wait: false, format: [] })),
    )
}

const EXAMPLES = `
Examples:
  id=$(verbatim upload talk.wav) && verbatim get "$id" --wait
  verbatim upload *.mp3 > jobs.txt`

import type { Command } from 'commander'
import { loadAdmin } from '../admin.ts'
import type { Context, Run } from '../context.ts'
import { rateMeter } from '../progress.ts'
import { bytesText, percentText, table } from '../text.ts'

export function addModel(program: Command, run: Run): void {
  const model = program.command('model').description('models of a service on this machine')
  model
    .command('list')
    .alias('ls')
    .description('list the models that can be had, and which are here')
    .action(() => run(listModels))
  model
    .command('get')
    .description('download a model; goes on where an earlier try stopped')
    .argument('<name>', 'as `verbatim model list` shows it')
    .addHelpText('after', '\nExample:\n  verbatim model get large-v3')
    .action((name: string) => run((context) => getModel(context, name)))
}

async function listModels({ out }: Context): Promise<number> {
  const models = await (await loadAdmin()).listModels()
  if (out.wantsJson) out.json({ models })
  else {
    const rows = models.map((m) => [m.name, m.kind, bytesText(m.sizeBytes), m.installed ? 'here' : ''])
    out.data(table([['MODEL', 'KIND', 'SIZE', ''], ...rows]))
  }
  return 0
}

async function getModel({ out, signal }: Context, name: string): Promise<number> {
  const rateOf = rateMeter()
  const onProgress = ({ bytes, total }: { bytes: number; total: number }) => {
    const rate = rateOf(bytes)
    const speed = rate === undefined ? '' : `  ${bytesText(rate)}/s`
    out.pin([
      `${out.paint('bold', name)}  ${percentText(bytes / total)}  ${bytesText(bytes)} of ${bytesText(total)}${speed}`,
    ])
  }
  try {
    const model = await (await loadAdmin()).getModel(name, { onProgress, signal })
    out.pin([])
    if (out.wantsJson) out.json(model)
    else out.data(`${model.path}\n`)
    return 0
  } finally {
    out.pin([])
    signal.throwIfAborted()
  }
}

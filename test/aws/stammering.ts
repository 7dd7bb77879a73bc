import { documentClientIn } from '../../lib/adapters/aws/clients.ts'

/** A client whose every request arrives twice, as when a reply was lost: it gets the second reply. */
export function stammering() {
  const db = documentClientIn()
  db.middlewareStack.add((next) => (args) => next(args).then(() => next(args)), {
    step: 'finalizeRequest',
    priority: 'low',
    name: 'twice',
  })
  return db
}

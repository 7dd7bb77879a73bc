// Takes the lock of a folder and holds it until it is killed.
import { lockFolder } from '../../../../lib/adapters/local/lock.ts'

lockFolder(process.argv[2]!)
process.stdout.write('locked\n')
process.stdin.resume()

// One file for jest, as it loads the CDK anew for each: seconds every time, and each stage is then built only once.
import './alarms.cases.ts'
import './data.cases.ts'
import './gpu.cases.ts'
import './policies.cases.ts'
import './service.cases.ts'
import './snapshot.cases.ts'

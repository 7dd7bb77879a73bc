const WITHOUT_AWS =
  'Not run: the AWS adapters against AWS or an emulator; AWS_ENDPOINT_URL=http://127.0.0.1:4566 npm run test:aws'

/** Ends a run with one plain line that counts the tests, for people and programs that read logs. */
export default class CountReporter {
  #options

  constructor(_globalConfig, options = {}) {
    this.#options = options
  }

  onRunComplete(
    _contexts,
    { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites },
  ) {
    const failed = numFailedTests + numRuntimeErrorTestSuites
    const skipped = numPendingTests + numTodoTests
    if (!this.#options.aws) process.stdout.write(`\n${WITHOUT_AWS}\n`)
    process.stdout.write(`\n${numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`)
  }
}

/** Ends a run with one plain line that counts the tests, for people and programs that read logs. */
export default class CountReporter {
  onRunComplete(
    _contexts,
    { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites },
  ) {
    const failed = numFailedTests + numRuntimeErrorTestSuites
    const skipped = numPendingTests + numTodoTests
    process.stdout.write(`\n${numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`)
  }
}

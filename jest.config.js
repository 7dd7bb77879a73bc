export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
    ],
  },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // These talk to AWS: npm run test:aws.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/aws/'],
  // cdk.out holds copies of the checkout, package.json included.
  modulePathIgnorePatterns: ['<rootDir>/cdk.out/'],
  // The engine is built once, before the first test, so no test pays for it (or times out on it).
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  reporters: ['default', '<rootDir>/test/support/count-reporter.js'],
  testTimeout: 60_000,
  maxWorkers: 2,
}

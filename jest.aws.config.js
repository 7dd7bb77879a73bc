import base from './jest.config.js'

// npm run test:aws: the AWS adapters and the whole batch lane against an AWS-compatible endpoint, or an account.

const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_PROFILE } = process.env
if (!AWS_ENDPOINT_URL && !AWS_ACCESS_KEY_ID && !AWS_PROFILE) {
  process.stderr.write(
    `AWS_ENDPOINT_URL is not set, and there are no AWS credentials: the AWS tests need something to talk to.

Start an AWS emulator with S3, SQS, DynamoDB, CloudFormation, Lambda and API Gateway, MiniStack for one
(https://github.com/ministackorg/ministack), then
  AWS_ENDPOINT_URL=http://127.0.0.1:4566 npm run test:aws
In an AWS account (AWS_PROFILE, or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, and AWS_REGION) they make a bucket,
tables and queues named verbatim-test-… and delete them again; stacks are deployed only to an emulator.
`,
  )
  process.exit(1)
}

export default {
  ...base,
  testMatch: ['<rootDir>/test/aws/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  reporters: ['default', ['<rootDir>/test/support/count-reporter.js', { aws: true }]],
  testTimeout: 120_000,
}

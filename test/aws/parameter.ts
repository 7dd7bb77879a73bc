/**
 * Puts a secret into the Parameter Store of the endpoint. Gives why it can't: in an account secrets are the operator's,
 * and not every emulator has them.
 */
export async function putParameter(Name: string, Value: string): Promise<string | undefined> {
  const endpoint = process.env.AWS_ENDPOINT_URL
  if (!endpoint) return 'tests write no secrets into an account'
  const scope = `${new Date().toISOString().slice(0, 10).replaceAll('-', '')}/us-east-1/ssm/aws4_request`
  const reply = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AmazonSSM.PutParameter',
      // Emulators look at whom a request is for, and not at the signature.
      authorization: `AWS4-HMAC-SHA256 Credential=test/${scope}, SignedHeaders=host, Signature=none`,
    },
    body: JSON.stringify({ Name, Value, Type: 'SecureString' }),
  })
  return reply.ok ? undefined : `the endpoint has no Parameter Store (${reply.status})`
}

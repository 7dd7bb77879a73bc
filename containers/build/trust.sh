# Sourced by the build's steps: behind a proxy that ends TLS, its certificates come as the build secret `ca`.
if [ -s /run/secrets/ca ]; then
  export CURL_CA_BUNDLE=/run/secrets/ca NODE_EXTRA_CA_CERTS=/run/secrets/ca
fi

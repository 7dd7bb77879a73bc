import {
  App,
  type AppProps,
  DefaultStackSynthesizer,
  type DefaultStackSynthesizerProps,
  type IReusableStackSynthesizer,
} from 'aws-cdk-lib'

/** An app whose templates any tool can deploy that has put the assets where they say. */
export function createApp(props: AppProps = {}, assets: DefaultStackSynthesizerProps = {}): App {
  // The CLI asks for the bootstrap's version by itself; a rule in the template would ask everybody else for it too.
  const synthesizer = new DefaultStackSynthesizer({ ...assets, generateBootstrapVersionRule: false })
  return new App({
    ...props,
    // No word to anybody of who deploys what, and no resource in a template that is nothing but that.
    analyticsReporting: false,
    // The CDK's own types differ where a property may be undefined.
    defaultStackSynthesizer: synthesizer as IReusableStackSynthesizer,
  })
}

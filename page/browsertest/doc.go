// Package browsertest looks at the page as people do: the built program in real Chromium. Its tests have the tag browser and need Chromium and
// axe-core; .ci/run browser gets both.
package browsertest

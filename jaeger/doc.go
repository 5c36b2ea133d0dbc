// Package jaeger holds the configuration of the Jaeger that keeps the lab's traces (jaeger.yaml) and of its UI (ui.json). It has no
// code but tests: they start the real program from these files and drive the lab through it.
package jaeger

// Package kubernetes tests the manifests of deploy/kubernetes without a cluster and without a network: kustomize's own library builds them, each object
// is decoded strictly into its type of k8s.io/api, and rules hold what the types cannot. It is a module of its own, so that nothing else gets these
// dependencies.
package kubernetes

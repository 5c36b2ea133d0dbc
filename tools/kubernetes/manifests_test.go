package kubernetes_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const (
	base       = "base"
	production = "overlays/production"
)

// objects are what kustomize makes of a folder, by kind.
type objects struct {
	configMaps   []core.ConfigMap
	services     []core.Service
	namespaces   []core.Namespace
	deployments  []apps.Deployment
	statefulSets []apps.StatefulSet
	autoscalers  []autoscaling.HorizontalPodAutoscaler
	budgets      []policy.PodDisruptionBudget
	policies     []networking.NetworkPolicy
}

// decode reads an object into its type; a field that the type does not have is an error, as is a kind that is not known here.
func (o *objects) decode(kind string, text []byte) error {
	switch kind {
	case "ConfigMap":
		return add(&o.configMaps, text)
	case "Service":
		return add(&o.services, text)
	case "Namespace":
		return add(&o.namespaces, text)
	case "Deployment":
		return add(&o.deployments, text)
	case "StatefulSet":
		return add(&o.statefulSets, text)
	case "HorizontalPodAutoscaler":
		return add(&o.autoscalers, text)
	case "PodDisruptionBudget":
		return add(&o.budgets, text)
	case "NetworkPolicy":
		return add(&o.policies, text)
	}
	return fmt.Errorf("kind %s: this test does not know its type", kind)
}

func add[T any](list *[]T, text []byte) error {
	var object T
	err := yaml.UnmarshalStrict(text, &object)
	*list = append(*list, object)
	return err
}

// copyOf is a copy of the manifests in memory, in which a text is replaced in one file; old is empty for a copy as it is.
func copyOf(t *testing.T, file, old, replacement string) filesys.FileSystem {
	t.Helper()
	fs, replaced := filesys.MakeFsInMemory(), old == ""
	err := filepath.WalkDir(filepath.FromSlash("../../deploy/kubernetes"), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(filepath.FromSlash("../../deploy/kubernetes"), path)
		if err != nil {
			return err
		}
		if name = filepath.ToSlash(name); name == file && old != "" {
			replaced = strings.Contains(string(text), old)
			text = []byte(strings.Replace(string(text), old, replacement, 1))
		}
		return fs.WriteFile("/"+name, text)
	})
	if err != nil {
		t.Fatal(err)
	}
	if !replaced {
		t.Fatalf("%s has no %q", file, old)
	}
	return fs
}

// build runs kustomize on a folder and decodes what comes out.
func build(fs filesys.FileSystem, folder string) (o objects, err error) {
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(fs, "/"+folder)
	if err != nil {
		return o, err
	}
	for _, resource := range made.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			return o, err
		}
		if err := o.decode(resource.GetKind(), text); err != nil {
			return o, fmt.Errorf("%s %s: %w", resource.GetKind(), resource.GetName(), err)
		}
	}
	return o, nil
}

// TestManifests builds both folders and holds every rule.
func TestManifests(t *testing.T) {
	fs := copyOf(t, "", "", "")
	for _, folder := range []string{base, production} {
		o, err := build(fs, folder)
		if err != nil {
			t.Fatalf("%s: %v", folder, err)
		}
		if len(o.deployments) != 7 || len(o.statefulSets) != 1 || len(o.configMaps) != 2 {
			t.Errorf("%s: %d deployments, %d stateful sets, %d config maps: want the seven services, the watchers and two", folder, len(o.deployments), len(o.statefulSets), len(o.configMaps))
		}
		for _, r := range rules {
			for _, found := range r.check(o) {
				t.Errorf("%s: %s: %s", folder, r.name, found)
			}
		}
	}
}

// TestEveryFileIsUsed finds a manifest that no kustomization names, which kustomize passes over in silence.
func TestEveryFileIsUsed(t *testing.T) {
	for _, folder := range []string{base, production} {
		dir := filepath.Join("..", "..", "deploy", "kubernetes", filepath.FromSlash(folder))
		kustomization, err := os.ReadFile(filepath.Join(dir, "kustomization.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if name := filepath.Base(file); name != "kustomization.yaml" && !strings.Contains(string(kustomization), name) {
				t.Errorf("%s/kustomization.yaml does not name %s", folder, name)
			}
		}
	}
}

// TestBreachesAreFound breaks each rule, and strictness itself, on purpose: a rule that nothing breaks says nothing.
func TestBreachesAreFound(t *testing.T) {
	broken := map[string]bool{}
	for _, b := range breaches {
		broken[b.rule] = true
		t.Run(b.rule+"/"+strings.TrimSpace(b.replacement), func(t *testing.T) {
			o, err := build(copyOf(t, b.file, b.old, b.replacement), production)
			if b.rule == "strict" {
				if err == nil {
					t.Error("what no type has was decoded")
				}
				return
			}
			if err != nil {
				t.Fatalf("the breach makes manifests that cannot be built, which proves nothing: %v", err)
			}
			i := slices.IndexFunc(rules, func(r rule) bool { return r.name == b.rule })
			if i < 0 || len(rules[i].check(o)) == 0 {
				t.Errorf("%s: with %q instead of %q the rule still holds", b.file, b.replacement, b.old)
			}
		})
	}
	for _, r := range rules {
		if !broken[r.name] {
			t.Errorf("no breach of the rule %q is tried", r.name)
		}
	}
}

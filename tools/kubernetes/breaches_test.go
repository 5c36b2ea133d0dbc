package kubernetes_test

// breach is a change to a file that breaks a rule, or strictness: the first old text gets the replacement.
type breach struct{ rule, file, old, replacement string }

var breaches = []breach{
	{"strict", "base/watchers.yaml", "podManagementPolicy", "podManagmentPolicy"},
	{"strict", "base/service-patch.yaml", "periodSeconds: 10", "periodSecond: 10"},
	{"strict", "overlays/production/autoscaler.yaml", "maxReplicas: 16", "maxReplicas: sixteen"},
	{"strict", "base/kustomization.yaml", "  - network.yaml", "  - networks.yaml"},
	{"strict", "base/network.yaml", "kind: NetworkPolicy", "kind: NetworkRule"},
	{"images have a version", "overlays/production/kustomization.yaml", "newTag: 0.1.0", "newTag: latest"},
	{"memory has a limit that is asked for, and Go knows less", "base/service-patch.yaml", "            limits:\n              memory: 64Mi\n", ""},
	{"memory has a limit that is asked for, and Go knows less", "base/watchers.yaml", "value: 900MiB", "value: 1000MiB"},
	{"nobody is root, and nothing is writable", "base/service-patch.yaml", "runAsUser: 10001", "runAsUser: 0"},
	{"nobody is root, and nothing is writable", "base/watchers.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"},
	{"nobody is root, and nothing is writable", "base/watchers.yaml", "drop: [ALL]", "drop: [NET_RAW]"},
	{"services have probes at ports that exist", "base/service-patch.yaml", "path: /healthz\n              port: http", "path: /healthz\n              port: health"},
	{"selectors match labels", "base/services.yaml", "  selector:\n    app.kubernetes.io/name: gateway", "  selector:\n    app.kubernetes.io/name: door"},
	{"selectors match labels", "base/watchers.yaml", "serviceName: watcher", "serviceName: watchers"},
	{"variables and keys exist", "base/settings.yaml", "  TOPIC: otlp_spans", "  TOPICS: otlp_spans"},
	{"variables and keys exist", "base/watchers.yaml", "                name: watch\n", "                name: watches\n"},
	{"a watcher's instance is its pod's name", "base/watchers.yaml", "fieldPath: metadata.name", "fieldPath: spec.nodeName"},
	{"a watcher's instance is its pod's name", "base/watchers.yaml", "--instance=$(POD_NAME)", "--instance=watcher"},
	{"no more watchers than partitions", "overlays/production/autoscaler.yaml", "maxReplicas: 16", "maxReplicas: 33"},
	{"no more watchers than partitions", "base/watchers.yaml", `partitions: "32"`, `partitions: "8"`},
	{"no more watchers than partitions", "overlays/production/autoscaler.yaml", "    name: watcher\n  minReplicas", "    name: watchers\n  minReplicas"},
	{"watchers grow by what they are behind and by load", "overlays/production/autoscaler.yaml", "consumergroup: tracelab.watch", "consumergroup: tracelab.watch.work"},
	{"watchers grow by what they are behind and by load", "overlays/production/autoscaler.yaml", "        name: cpu\n", "        name: memory\n"},
	{"watchers grow by what they are behind and by load", "base/watchers.yaml", "              cpu: \"1\"\n", ""},
	{"every service is reached where it listens", "base/settings.yaml", "payment=payment:18083", "payment=payment:18084"},
	{"every service is reached where it listens", "base/services.yaml", "orders=0.0.0.0:18081", "orders=orders:18081"},
	{"a watcher's stop and one service's outage are bounded", "base/watchers.yaml", "maxUnavailable: 1", "maxUnavailable: 2"},
	{"pods of ours are closed", "base/network.yaml", "  policyTypes: [Ingress]", "  policyTypes: [Egress]"},
}

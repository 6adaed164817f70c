package main

import "regexp"

// variants are the examples of the chart. Each is a plain manifest too.
var variants = []string{"embedded-nats", "nats", "kafka", "huawei-dms", "replicas", "replicas-nats", "sidecar"}

// manifest renders an example for people without Helm. What only Helm uses is left out.
func manifest(name string) (string, error) {
	c, err := loadChart()
	if err != nil {
		return "", err
	}
	values, err := example(name)
	if err != nil {
		return "", err
	}
	r, err := render(c, "livebridge", values)
	if err != nil {
		return "", err
	}
	return "# Generated from the Helm chart with examples/" + name + ".yaml: make deployments\n" +
		onlyHelm.ReplaceAllString(r.objects, ""), nil
}

// onlyHelm are the labels that say that Helm manages an object.
var onlyHelm = regexp.MustCompile(`(?m)^ +(helm\.sh/chart|app\.kubernetes\.io/managed-by): .*\n`)

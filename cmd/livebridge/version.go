package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/spf13/cobra"
)

// release and commit are set by the linker where the build has no access to the repository, as in an image.
var release, commit string

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print version, revision and Go version", Example: "  livebridge version", Args: noArguments,
		Run: func(c *cobra.Command, _ []string) { fmt.Fprintln(c.OutOrStdout(), "livebridge", version()) },
	}
}

// version returns the module version, the revision and the Go version.
func version() string {
	b := buildInfo()
	return fmt.Sprintf("%s (%s, %s)", b["version"], cmp.Or(b["revision"], "no revision"), b["goversion"])
}

// buildInfo returns the build's version, revision, which may be empty, and goversion.
func buildInfo() prometheus.Labels {
	b := prometheus.Labels{"version": "(unknown)", "revision": "", "goversion": runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b["version"] = cmp.Or(release, info.Main.Version)
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b["revision"] = s.Value
		}
	}
	b["revision"] = cmp.Or(commit, b["revision"])
	return b
}

// registerBuildInfo registers the metric that identifies the build.
func registerBuildInfo(r prometheus.Registerer) {
	promauto.With(r).NewGaugeFunc(prometheus.GaugeOpts{Name: "livebridge_build_info", ConstLabels: buildInfo(),
		Help: "Always 1. The labels are the version, revision and Go version of the build."},
		func() float64 { return 1 })
}

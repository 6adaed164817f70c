package tracing

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// variables returns pairs as variables of the environment.
func variables(pairs ...string) map[string]string {
	all := make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = pairs[i+1]
	}
	return all
}

// TestOffByDefault: there is no tracing unless an exporter or an endpoint asks for it, and none when something forbids
// it; then nothing else is looked at.
func TestOffByDefault(t *testing.T) {
	for _, vars := range []map[string]string{
		{}, variables("OTEL_SERVICE_NAME", "a", "OTEL_TRACES_SAMPLER", "wrong"), variables("OTEL_TRACES_EXPORTER", "none"),
		variables("OTEL_EXPORTER_OTLP_ENDPOINT", " "),
		variables("OTEL_SDK_DISABLED", "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT", "wrong"),
		variables("OTEL_TRACES_EXPORTER", "none", "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
	} {
		if cfg, err := FromEnvironment(vars); cfg != nil || err != nil {
			t.Errorf("%v: %+v, %v", vars, cfg, err)
		}
	}
}

// TestConfig: the variables for traces count more than those for everything, and the path is added to the latter's
// endpoint alone.
func TestConfig(t *testing.T) {
	for _, test := range []struct {
		vars map[string]string
		want string
	}{
		{variables("OTEL_TRACES_EXPORTER", "otlp"), "http://localhost:4318/v1/traces map[] 10s false "},
		{variables("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c:1/a/", "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf",
			"OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, x=%3D=", "OTEL_EXPORTER_OTLP_TIMEOUT", "2500",
			"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "OTEL_SERVICE_NAME", "b"),
			"https://c:1/a/v1/traces map[api-key:a b x:==] 2.5s true b"},
		{variables("OTEL_EXPORTER_OTLP_ENDPOINT", "wrong", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c/x",
			"OTEL_EXPORTER_OTLP_TIMEOUT", "wrong", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1",
			"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
			"http://c/x map[] 1ms false "},
	} {
		c, err := FromEnvironment(test.vars)
		if err != nil {
			t.Errorf("%v: %v", test.vars, err)
			continue
		}
		got := fmt.Sprintf("%v %v %v %v %s", c.Endpoint, c.Headers, c.Timeout, c.Gzip, c.Service)
		if got != test.want {
			t.Errorf("%v: %q, want %q", test.vars, got, test.want)
		}
	}
}

// TestMistakes: each names its variable, says what to do, and shows no secret; all are told at once.
func TestMistakes(t *testing.T) {
	for variable, values := range map[string][]string{
		"OTEL_TRACES_EXPORTER":               {"zipkin", "console"},
		"OTEL_EXPORTER_OTLP_PROTOCOL":        {"grpc", "http/json", "http"},
		"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": {"grpc"},
		"OTEL_EXPORTER_OTLP_ENDPOINT": {"collector:4318", "grpc://user:hidden@c:1", "http://", ":",
			"http://user:hidden@c:x\x00"},
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": {"hidden"},
		"OTEL_EXPORTER_OTLP_HEADERS":         {"hidden", "a=%zz,b=hidden", "a b=hidden", "a=hidden%0A", "=hidden"},
		"OTEL_EXPORTER_OTLP_TIMEOUT":         {"10s", "0", "-1", "99999999999"},
		"OTEL_EXPORTER_OTLP_COMPRESSION":     {"zstd"},
		"OTEL_TRACES_SAMPLER":                {"jaeger_remote"},
		"OTEL_TRACES_SAMPLER_ARG":            {"2", "-0.1", "NaN", "half"},
	} {
		for _, value := range values {
			vars := variables("OTEL_TRACES_EXPORTER", "otlp", "OTEL_TRACES_SAMPLER", "traceidratio")
			vars[variable] = value
			_, err := FromEnvironment(vars)
			if err == nil || !strings.HasPrefix(err.Error(), variable+": ") || strings.Count(err.Error(), ": use ") != 1 ||
				strings.Contains(err.Error(), "hidden") {
				t.Errorf("%s=%q: %v", variable, value, err)
			}
		}
	}
	_, err := FromEnvironment(variables("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc",
		"OTEL_TRACES_SAMPLER", "wrong"))
	if err == nil || !strings.Contains(err.Error(), "4318") || !strings.Contains(err.Error(), "\nOTEL_TRACES_SAMPLER") {
		t.Errorf("%v", err)
	}
}

// TestFilesOfTLS: those that cannot be used are told before anything is sent.
func TestFilesOfTLS(t *testing.T) {
	for _, name := range []string{"CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"} {
		cfg, err := FromEnvironment(variables("OTEL_TRACES_EXPORTER", "otlp", "OTEL_EXPORTER_OTLP_"+name, "config_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := newClient(cfg); err == nil || !strings.Contains(err.Error(), "OTEL_EXPORTER_OTLP_"+name) ||
			!strings.Contains(err.Error(), ": use ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if cfg, err := FromEnvironment(variables("OTEL_TRACES_EXPORTER", "otlp")); err != nil ||
		cfg.Timeout != 10*time.Second {
		t.Errorf("%+v, %v", cfg, err)
	}
}

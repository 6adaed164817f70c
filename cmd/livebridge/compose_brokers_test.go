//go:build brokers

package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"livebridge/transports/kafka/kafkatest"
)

// composed is a service of deployments/compose.yaml.
type composed struct {
	Entrypoint, Command []string
	Environment         map[string]string
}

// TestCompose starts what deployments/compose.yaml says, without its images: the programs with their arguments and
// settings, under other addresses. The simulated provider's callbacks come out of the consumer.
func TestCompose(t *testing.T) {
	services := composedServices(t)
	provider := services["simulate"]
	provider.Command = append(provider.Command, "--duration", "2s")
	t.Run("Kafka", func(t *testing.T) {
		broker := kafkatest.Start(t, kafkatest.Options{}).Broker(0)
		bridge := services["livebridge-kafka"].launch(t, "kafka:9092", broker)
		consumer := services["consumer-kafka"]
		if want := []string{"/opt/kafka/bin/kafka-console-consumer.sh"}; !slices.Equal(consumer.Entrypoint, want) {
			t.Fatalf("the consumer is %q, want %q", consumer.Entrypoint, want)
		}
		printing := kafkatest.Java(t, kafkatest.Classpath(t), nil, "org.apache.kafka.tools.consumer.ConsoleConsumer",
			replaced(consumer.Command, "kafka:9092", broker)...)
		checkPrinted(t, printing, provider.program(t, "livebridge:8080", bridge.listen),
			regexp.MustCompile(`^content-type:application/cloudevents\+json\S*\tpush\.example\.com`+
				`/live/\w+\t\{.*"specversion":"1.0"`))
	})
	t.Run("NATS", func(t *testing.T) {
		bridge := services["livebridge-nats"].launch(t, "0.0.0.0:4222", "127.0.0.1:0")
		checkPrinted(t, services["consumer-nats"].program(t, "nats://livebridge:4222", bridge.nats),
			provider.program(t, "livebridge:8080", bridge.listen), regexp.MustCompile(`^\{.*"specversion":"1.0"`))
	})
}

func composedServices(t *testing.T) map[string]composed {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deployments", "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Services map[string]composed }
	defaults := regexp.MustCompile(`\$\{\w+:-(.*?)\}`).ReplaceAll(text, []byte("$1"))
	if err := yaml.Unmarshal(defaults, &file); err != nil {
		t.Fatal(err)
	}
	return file.Services
}

// settings returns the service's environment, with one address in place of another, and a free port for the admin port.
func (c composed) settings(old, address string) (out []string) {
	for name, value := range c.Environment {
		out = append(out, name+"="+value)
	}
	return replaced(replaced(out, old, address), "0.0.0.0:9090", "127.0.0.1:0")
}

// launch starts a service that is livebridge itself.
func (c composed) launch(t *testing.T, old, address string) *program {
	t.Helper()
	return launch(t, t.TempDir(), c.settings(old, address)...)
}

// program is one that runs a command of livebridge.
func (c composed) program(t *testing.T, old, address string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], replaced(c.Command, old, address)...)
	cmd.Env = append(append(os.Environ(), asProgram+"=1"), c.settings(old, address)...)
	return cmd
}

func replaced(args []string, old, address string) (out []string) {
	for _, w := range args {
		out = append(out, strings.ReplaceAll(w, old, address))
	}
	return out
}

// checkPrinted lets the provider send and checks the first lines of the consumer.
func checkPrinted(t *testing.T, consumer, provider *exec.Cmd, like *regexp.Regexp) {
	t.Helper()
	const enough = 20
	out, err := consumer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := consumer.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = consumer.Wait() }()
	defer func() { _ = consumer.Process.Kill() }()
	timer := time.AfterFunc(patience, func() { _ = consumer.Process.Kill() })
	defer timer.Stop()
	if output, err := provider.CombinedOutput(); err != nil {
		t.Errorf("the provider: %v\n%s", err, output)
	}
	lines, n := bufio.NewScanner(out), 0
	for ; n < enough && lines.Scan(); n++ {
		if !like.MatchString(lines.Text()) {
			t.Fatalf("the consumer prints %q", lines.Text())
		}
	}
	if n < enough {
		t.Errorf("the consumer has printed %d lines", n)
	}
}

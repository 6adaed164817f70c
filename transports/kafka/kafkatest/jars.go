package kafkatest

import (
	_ "embed" // the pom is part of the package
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

//go:embed pom.xml
var pom []byte

// Classpath returns the class path of Apache Kafka.
func Classpath(t testing.TB) string {
	t.Helper()
	return ClasspathOf(t, pom)
}

// ClasspathOf downloads the dependencies of a pom with Maven, and returns the class path. The result is cached on disk
// for as long as all the jars exist, since Maven needs seconds.
func ClasspathOf(t testing.TB, pom []byte) string {
	t.Helper()
	path := filepath.Join(os.TempDir(), fmt.Sprintf("livebridge-classpath-%08x", crc32.ChecksumIEEE(pom)))
	if cached, err := os.ReadFile(path); err == nil && complete(string(cached)) {
		return string(cached)
	}
	dir := t.TempDir()
	requireProgram(t, "mvn")
	file := filepath.Join(dir, "pom.xml")
	if err := os.WriteFile(file, pom, 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "classpath")
	mvn := exec.Command("mvn", "-q", "-B", "-f", file, "dependency:build-classpath", "-Dmdep.outputFile="+out)
	if text, err := mvn.CombinedOutput(); err != nil {
		t.Fatalf("maven cannot download the jars of %s: %v\n%s", file, err, text)
	}
	found, err := os.ReadFile(out)
	if err == nil {
		err = errors.Join(os.WriteFile(out+".done", found, 0o600), os.Rename(out+".done", path))
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(found)
}

// complete reports whether all jars of a class path exist.
func complete(classpath string) bool {
	for jar := range strings.SplitSeq(classpath, string(os.PathListSeparator)) {
		if _, err := os.Stat(jar); err != nil {
			return false
		}
	}
	return classpath != ""
}

// requireProgram fails the test when a program is missing: tests that need a real broker are never skipped.
func requireProgram(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("%s not found: tests with real brokers need Java 17 or later and Maven "+
			"(Debian: apt-get install openjdk-17-jre-headless maven)", program)
	}
}

// Java returns a command that runs a class.
func Java(t testing.TB, classpath string, options []string, class string, args ...string) *exec.Cmd {
	t.Helper()
	requireProgram(t, "java")
	line := append([]string{"-cp", classpath, "-XX:+UseSerialGC", "-Xshare:auto"}, options...)
	return exec.Command("java", append(append(line, class), args...)...)
}

package main

import (
	"encoding/json"
	"strings"
	"testing"

	"livebridge/bridge/doctor"
	"livebridge/bridge/provider/providertest"
)

// diagnose runs callbacks doctor and returns its findings by check.
func (a *account) diagnose(t *testing.T, code int, args ...string) map[doctor.Check]doctor.Finding {
	t.Helper()
	out, errOut, got := a.callbacks(t, append([]string{"doctor", "--output", "json"}, args...)...)
	if got != code {
		t.Errorf("exit code %d, want %d: %s%s", got, code, out, errOut)
	}
	all := make(map[doctor.Check]doctor.Finding)
	for line := range strings.Lines(out) {
		var f doctor.Finding
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all[f.Check] = f
	}
	return all
}

// asService gives the commands of a test the settings of a service.
func asService(t *testing.T, settings map[string]string) {
	t.Helper()
	for name, text := range settings {
		t.Setenv(prefix+name, text)
	}
}

// TestDoctor finds nothing at a service that is registered as it should be but for plain HTTP, then each fault that is
// made. The probes leave no trace but their own counter.
func TestDoctor(t *testing.T) {
	a := newAccount(t)
	own := map[string]string{"STREAM_KEY": emulatedKey, "RECORD_KEY": emulatedKey, "RTC_KEY": emulatedKey,
		"SNAPSHOT_TOKEN": "the-token", "DOMAINS": emulatedDomain}
	asService(t, own)
	service := launch(t, t.TempDir())
	url := "--key-env CALLBACK_KEY --url http://" + service.listen
	a.must(t, "stream set "+emulatedDomain+" "+url+"/live/stream")
	a.must(t, "record create "+emulatedDomain+"/* "+url+"/live/record")
	a.must(t, "snapshot set "+emulatedDomain+"/live --bucket b --location cn-north-4 "+url+"/live/snapshot/the-token")
	a.must(t, "rtc-record set app1 "+url+"/rtc/record")
	flags := []string{"--rtc-app", "app1", "--instance", "http://" + service.admin, "--ignore", "plain_http"}

	if all := a.diagnose(t, exitDone, flags...); len(all) != 3 || all[doctor.CheckProbe].Level != doctor.Info ||
		!strings.Contains(all[doctor.CheckLastCallback].Problem, "no callback has arrived") {
		t.Errorf("%+v", all)
	}
	metrics := service.metrics(t)
	for _, kind := range []string{"stream", "record", "snapshot", "rtc-record"} {
		if metrics[`livebridge_signed_probes_total{kind="`+kind+`",result="answered"}`] != 1 ||
			metrics[`livebridge_callbacks_accepted_total{kind="`+kind+`"}`] != 0 || metrics["livebridge_outbox_events"] != 0 {
			t.Errorf("%s: the probe is not counted apart", kind)
		}
	}
	a.Start(t.Context(), providertest.Push{Domain: emulatedDomain, App: "live", Stream: "room", Record: true})
	if all := a.diagnose(t, exitDone, flags...); !strings.Contains(all[doctor.CheckLastCallback].Problem, "arrived") {
		t.Errorf("%+v", all)
	}
	a.must(t, "record update "+emulatedDomain+"/* --events RECORD_FILE_COMPLETE --key-env CALLBACK_KEY")
	a.settings = append(a.settings, "CALLBACK_KEY="+rotatedKey)
	a.must(t, "stream set "+emulatedDomain+" --key-env CALLBACK_KEY")
	a.must(t, "rtc-record set app1 --url http://"+service.listen+"/elsewhere")
	all := a.diagnose(t, exitFailed, flags...)
	for _, check := range []doctor.Check{doctor.CheckKey, doctor.CheckRecordStart, doctor.CheckEvents, doctor.CheckRoute} {
		if all[check].Level == "" {
			t.Errorf("%s is not found: %+v", check, all)
		}
	}
	if out, _, _ := a.callbacks(t, append([]string{"doctor", "--output", "table"}, flags...)...); strings.Contains(out,
		"the-token") ||
		!strings.Contains(strings.Join(strings.Fields(out), " "),
			"error key stream push.example.com callbacks are rejected") {
		t.Errorf("%s", out)
	}
}

// TestDoctorOfAnotherService: what serves the public URL has other settings than the doctor.
func TestDoctorOfAnotherService(t *testing.T) {
	a := newAccount(t)
	service := launch(t, t.TempDir(), prefix+"STREAM_KEY="+rotatedKey)
	asService(t, map[string]string{"STREAM_KEY": emulatedKey, "DOMAINS": emulatedDomain})
	a.must(t, "stream set "+emulatedDomain+" --key-env CALLBACK_KEY --url http://"+service.listen+"/live/stream")
	all := a.diagnose(t, exitFailed, "--instance", "http://127.0.0.1:1")
	if f := all[doctor.CheckProbe]; f.Level != doctor.Error || !strings.Contains(f.Problem, "401") {
		t.Errorf("%+v", all)
	}
	if f := all[doctor.CheckInstance]; f.Level != doctor.Error {
		t.Errorf("%+v", all)
	}
	if all := a.diagnose(t, exitFailed, "--no-probe"); all[doctor.CheckProbe].Level != "" ||
		all[doctor.CheckPlainHTTP].Level == "" {
		t.Errorf("%+v", all)
	}
}

// TestDoctorWithoutTheProvider: a wrong key of the account, an unknown region, throttling, an error and silence are
// findings in the provider's words.
func TestDoctorWithoutTheProvider(t *testing.T) {
	asService(t, map[string]string{"STREAM_KEY": emulatedKey, "DOMAINS": emulatedDomain + ",other.example.com"})
	for want, tt := range map[string]struct {
		prepare func(*account)
		args    []string
	}{
		"status 401":                  {func(*account) { t.Setenv("HUAWEICLOUD_SDK_SK", "wrong") }, nil},
		"status 429":                  {func(a *account) { a.Fail(providertest.Throttled()) }, nil},
		"status 500":                  {func(a *account) { a.Fail(providertest.Broken()) }, nil},
		"no response within":          {func(a *account) { a.Fail(providertest.Silent()) }, []string{"--timeout", "100ms"}},
		"Invalid request parameter: ": {func(*account) {}, []string{"--domain", "foreign.example.com"}},
		"no-such-region":              {func(a *account) { a.url = "" }, []string{"--region", "no-such-region"}},
	} {
		a := newAccount(t)
		t.Setenv("HUAWEICLOUD_SDK_SK", emulated().SecretKey)
		tt.prepare(a)
		all := a.diagnose(t, exitFailed, tt.args...)
		if f := all[doctor.CheckProvider]; len(all) != 1 || !strings.Contains(f.Problem, want) || f.Level != doctor.Error {
			t.Errorf("%s: %+v", want, all)
		}
	}
	_, errOut, code := runCommand(t, "callbacks", "doctor", "--region", "cn-north-4", "--ignore", "everything")
	if code != exitUsage || !strings.Contains(errOut, "--ignore") {
		t.Errorf("%d %s", code, errOut)
	}
}

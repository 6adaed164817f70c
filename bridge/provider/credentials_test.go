package provider_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/provider"
	"livebridge/bridge/provider/providertest"
)

// TestTemporaryCredentials have a security token, in the environment or the SDK's profile file.
func TestTemporaryCredentials(t *testing.T) {
	const token = "temporary-token"
	server := httptest.NewServer(providertest.New(providertest.Config{
		AccessKey: accessKey, SecretKey: secretKey, SecurityToken: token, Project: project,
	}))
	defer server.Close()
	profile := filepath.Join(t.TempDir(), "credentials")
	text := "[basic]\nak=" + accessKey + "\nsk=" + secretKey + "\nsecurity_token=" + token + "\nproject_id=" + project
	if err := os.WriteFile(profile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, prepare := range map[string]func(){
		"environment": func() { t.Setenv("HUAWEICLOUD_SDK_SECURITY_TOKEN", token) },
		"profile": func() {
			for _, name := range []string{"AK", "SK", "SECURITY_TOKEN", "PROJECT_ID"} {
				t.Setenv("HUAWEICLOUD_SDK_"+name, "")
			}
			t.Setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", profile)
		},
	} {
		account(t)
		t.Setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "absent"))
		prepare()
		c, err := provider.Open(provider.Config{Endpoint: server.URL})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := c.List(t.Context(), provider.Query{Kind: bridge.KindRecord}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTheProjectOfTheFlagComesFirst: credentials are used for several projects.
func TestTheProjectOfTheFlagComesFirst(t *testing.T) {
	_, url := emulate(t)
	t.Setenv("HUAWEICLOUD_SDK_PROJECT_ID", "of-another-region")
	for given, problem := range map[string]string{project: "", "": "status 403"} {
		c, err := provider.Open(provider.Config{Endpoint: url, Project: given})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.List(t.Context(), provider.Query{Kind: bridge.KindRecord})
		if (err == nil) != (problem == "") || err != nil && !strings.Contains(err.Error(), problem) {
			t.Errorf("project %q: %v", given, err)
		}
	}
}

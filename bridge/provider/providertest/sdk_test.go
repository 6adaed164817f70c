package providertest_test

import (
	"net/http/httptest"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	rtc "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cloudrtc/v2"
	rtcmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cloudrtc/v2/model"
	live "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/live/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/live/v1/model"

	"livebridge/bridge/provider/providertest"
)

const (
	accessKey = "AKEXAMPLE"
	secretKey = "secret-of-the-access-key"
	project   = "0123456789abcdef"
	key       = "0123456789abcdef0123456789abcdef"
	domain    = "push.example.com"
)

// serve returns a provider and the official SDK's clients of it.
func serve(t *testing.T) (*providertest.Provider, *live.LiveClient, *rtc.CloudRTCClient) {
	t.Helper()
	p := providertest.New(providertest.Config{AccessKey: accessKey, SecretKey: secretKey, Project: project})
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	credentials, err := basic.NewCredentialsBuilder().
		WithAk(accessKey).WithSk(secretKey).WithProjectId(project).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	l, err := live.LiveClientBuilder().WithCredential(credentials).WithEndpoint(server.URL).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	r, err := rtc.CloudRTCClientBuilder().WithCredential(credentials).WithEndpoint(server.URL).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return p, live.NewLiveClient(l), rtc.NewCloudRTCClient(r)
}

// TestTheOfficialSDKIsAClient calls every path with the SDK alone.
func TestTheOfficialSDKIsAClient(t *testing.T) {
	_, l, r := serve(t)
	url, secret, app := "https://bridge.example.com/live/record", key, "**"
	created, err := l.CreateRecordCallbackConfig(&model.CreateRecordCallbackConfigRequest{
		Body: &model.RecordCallbackConfigRequest{PublishDomain: domain, App: "**", NotifyCallbackUrl: &url, Key: &secret},
	})
	if err != nil || created.HttpStatusCode != 201 || *created.App != "**" || created.SignType.Value() != "HMACSHA256" {
		t.Fatalf("created %v, %v", created, err)
	}
	calls := map[string]func() (any, error){
		"list records": func() (any, error) {
			return l.ListRecordCallbackConfigs(&model.ListRecordCallbackConfigsRequest{App: &app})
		},
		"show record": func() (any, error) {
			return l.ShowRecordCallbackConfig(&model.ShowRecordCallbackConfigRequest{Id: *created.Id})
		},
		"set stream": func() (any, error) {
			return l.UpdatePublishTemplate(&model.UpdatePublishTemplateRequest{Domain: domain,
				Body: &model.CallbackUrl{Url: url, AuthSignKey: &secret}})
		},
		"show stream": func() (any, error) {
			return l.ListPublishTemplate(&model.ListPublishTemplateRequest{Domain: domain})
		},
		"list snapshots": func() (any, error) {
			return l.ListSnapshotConfigs(&model.ListSnapshotConfigsRequest{Domain: domain})
		},
		"list online": func() (any, error) {
			return l.ListLiveStreamsOnline(&model.ListLiveStreamsOnlineRequest{PublishDomain: domain})
		},
		"set rtc": func() (any, error) {
			return r.UpdateRecordCallback(&rtcmodel.UpdateRecordCallbackRequest{AppId: "a",
				Body: &rtcmodel.AppCallbackUrlReq{Url: url, AuthKey: &secret}})
		},
	}
	for name, call := range calls {
		if answer, err := call(); err != nil {
			t.Errorf("%s: %v, %v", name, answer, err)
		}
	}
	deleted, err := l.DeleteRecordCallbackConfig(&model.DeleteRecordCallbackConfigRequest{Id: *created.Id})
	if err != nil || deleted.HttpStatusCode != 204 {
		t.Errorf("deleted %v, %v", deleted, err)
	}
}

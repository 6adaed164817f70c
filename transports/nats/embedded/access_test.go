package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// consumerOfOne connects as a consumer to a server that has one event.
func consumerOfOne(t *testing.T) jetstream.JetStream {
	t.Helper()
	e := embedded(t, t.TempDir(), nil)
	t.Cleanup(func() { transporttest.Close(t, e) })
	if err := transporttest.Publish(t, e, natstest.Event("a", 1)); err != nil {
		t.Fatal(err)
	}
	return consumerJS(t, e)
}

// TestPushConsumersStayOut: whoever connects from outside can have a consumer deliver to a client's inbox, and nowhere
// else: not into our streams, and not to the server's own API, which would treat the events as requests.
func TestPushConsumersStayOut(t *testing.T) {
	t.Parallel()
	js := consumerOfOne(t)
	ask := func(subject, config string) (answer struct{ Error *struct{ Code int } }) {
		t.Helper()
		request := fmt.Sprintf(`{"stream_name":"LIVE_EVENTS","config":{%s,"deliver_policy":"all","ack_policy":"none",`+
			`"replay_policy":"instant"}}`, config)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		m, err := js.Conn().RequestWithContext(ctx, subject, []byte(request))
		if err != nil {
			t.Fatalf("%s: %v", subject, err)
		}
		if err := json.Unmarshal(m.Data, &answer); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	const into = "live.events.push%2Eexample%2Ecom.live.a.stream"
	for name, unusable := range map[string][2]string{
		"into the stream": {"$JS.API.CONSUMER.CREATE.LIVE_EVENTS", `"deliver_subject":"` + into + `"`},
		"with a name": {"$JS.API.CONSUMER.CREATE.LIVE_EVENTS.evil", `"name":"evil","deliver_subject":"` + into +
			`"`},
		"durable": {"$JS.API.CONSUMER.DURABLE.CREATE.LIVE_EVENTS.evil",
			`"durable_name":"evil","deliver_subject":"` + into + `"`},
		"into the quarantine": {"$JS.API.CONSUMER.CREATE.LIVE_EVENTS", `"deliver_subject":"live.quarantine.stream"`},
		"into the API": {"$JS.API.CONSUMER.CREATE.LIVE_EVENTS",
			`"deliver_subject":"$JS.API.STREAM.PURGE.LIVE_EVENTS"`},
		"said twice": {"$JS.API.CONSUMER.CREATE.LIVE_EVENTS", `"deliver_subject":"_INBOX.x","deliver_subject":"` +
			into + `"`},
		"said in another case": {"$JS.API.CONSUMER.CREATE.LIVE_EVENTS", `"deliver_subject":"_INBOX.x","Deliver_Subject":"` +
			into + `"`},
		"nearly an inbox": {"$JS.API.CONSUMER.CREATE.LIVE_EVENTS", `"deliver_subject":"_INBOXES.x"`},
	} {
		if a := ask(unusable[0], unusable[1]); a.Error == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	inbox := natsgo.NewInbox()
	delivered := natstest.Must(js.Conn().SubscribeSync(inbox))
	if a := ask("$JS.API.CONSUMER.CREATE.LIVE_EVENTS", `"deliver_subject":"`+inbox+`"`); a.Error != nil {
		t.Errorf("to an inbox: %+v", a.Error)
	}
	if m, err := delivered.NextMsg(20 * time.Second); err != nil || m.Subject != into {
		t.Errorf("%v, %v", m, err)
	}
	if state := natstest.Must(natstest.Must(js.Stream(t.Context(),
		"LIVE_EVENTS")).Info(t.Context())).State; state.Msgs != 1 || state.LastSeq != 1 || state.Consumers != 1 {
		t.Errorf("the stream has changed: %+v", state)
	}
}

// TestAnswersStayOut: the answer to a request goes to the subject that the request names, and that is never one of
// ours.
func TestAnswersStayOut(t *testing.T) {
	t.Parallel()
	js := consumerOfOne(t)
	const into = "live.events.push%2Eexample%2Ecom.live.a.stream"
	for _, subject := range []string{"$JS.API.INFO", "$JS.API.STREAM.INFO.LIVE_EVENTS",
		"$JS.API.STREAM.MSG.GET.LIVE_EVENTS",
		"$JS.API.DIRECT.GET.LIVE_EVENTS", "$JS.API.CONSUMER.NAMES.LIVE_EVENTS", "$JS.API.CONSUMER.CREATE.LIVE_EVENTS"} {
		if err := js.Conn().PublishRequest(subject, into, []byte(`{"seq":1}`)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // everything above has been dealt with when a later request is answered
		natstest.Must(js.AccountInfo(t.Context()))
	}
	if state := natstest.Must(natstest.Must(js.Stream(t.Context(),
		"LIVE_EVENTS")).Info(t.Context())).State; state.Msgs != 1 || state.LastSeq != 1 {
		t.Errorf("the stream has changed: %+v", state)
	}
}

// TestConsumersCannotWrite tries, as an outside connection, everything that would change what consumers see.
func TestConsumersCannotWrite(t *testing.T) {
	t.Parallel()
	js := consumerOfOne(t)
	subject := "live.events.push%2Eexample%2Ecom.live.a.stream"
	for _, request := range []string{
		subject, "live.quarantine.stream", "$JS.API.STREAM.CREATE.OTHER", "$JS.API.STREAM.UPDATE.LIVE_EVENTS",
		"$JS.API.STREAM.PURGE.LIVE_EVENTS", "$JS.API.STREAM.DELETE.LIVE_EVENTS", "$JS.API.STREAM.MSG.DELETE.LIVE_EVENTS",
		"$JS.API.STREAM.RESTORE.LIVE_EVENTS", "$JS.API.STREAM.SNAPSHOT.LIVE_EVENTS", "$JS.API.ACCOUNT.PURGE.$G",
		"$JS.API.STREAM.LEADER.STEPDOWN.LIVE_EVENTS",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if m, err := js.Conn().RequestWithContext(ctx, request,
			[]byte(`{"seq":1,"name":"OTHER","subjects":["live.events.>"]}`)); err == nil {
			t.Errorf("%s was answered %s", request, m.Data)
		}
		cancel()
	}
	info := natstest.Must(natstest.Must(js.Stream(t.Context(), "LIVE_EVENTS")).Info(t.Context()))
	if info.State.Msgs != 1 || info.State.LastSeq != 1 {
		t.Errorf("the stream has changed: %+v", info.State)
	}
}

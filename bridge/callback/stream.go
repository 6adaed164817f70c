package callback

import "livebridge/bridge"

// streamStatus is the Live callback for a push that starts or ends.
var streamStatus = definition{
	kind:        bridge.KindStream,
	unknownType: "com.huaweicloud.live.stream" + bridge.TypeUnknownSuffix,
	events: []eventSpec{
		{name: "PUBLISH", ceType: "com.huaweicloud.live.stream.publish", phase: bridge.PhasePublish},
		{name: "PUBLISH_DONE", ceType: "com.huaweicloud.live.stream.publish_done", phase: bridge.PhaseDone},
	},
	members: []member{
		{in: "app", out: "app", role: roleApp, need: required, limit: appMax},
		{in: "client_ip", out: "client_ip"},
		{in: "domain", out: "domain", shape: host, role: roleDomain, need: required, limit: domainMax},
		{in: "event", out: "event", role: roleEvent, need: required},
		{in: "node_ip", out: "node_ip"},
		{in: "publish_timestamp", out: "publish_timestamp", shape: session},
		{in: "stream", out: "stream", role: roleStream, need: required, limit: streamMax},
		{out: "unrecognized", shape: unrecognized},
		{in: "user_args", out: "user_args"},
		{in: "auth_sign", shape: signing, role: roleAuthSign},
		{in: "auth_timestamp", shape: signing, role: roleAuthTimestamp},
	},
}

package callback

import "livebridge/bridge"

// snapshot is the Live callback for a snapshot. It has no event name.
var snapshot = definition{
	kind: bridge.KindSnapshot,
	members: []member{
		{in: "app", out: "app", role: roleApp, need: required, limit: appMax},
		{in: "domain", out: "domain", shape: host, role: roleDomain, need: required, limit: domainMax},
		{in: "height", out: "height", shape: integer},
		{in: "obs_addr", out: "obs_addr", shape: nested},
		{in: "snapshot_url", out: "snapshot_url", need: required},
		{in: "stream_name", out: "stream", role: roleStream, need: required, limit: streamMax},
		{out: "unrecognized", shape: unrecognized},
		{in: "width", out: "width", shape: integer},
		{in: "auth_sign", shape: signing, role: roleAuthSign},
		{in: "auth_timestamp", shape: signing, role: roleAuthTimestamp},
	},
}

const snapshotType = "com.huaweicloud.live.snapshot.created"

// obsAddrMembers is the table of obs_addr: where the snapshot is in object storage.
var obsAddrMembers = []member{
	{in: "bucket", out: "bucket"},
	{in: "location", out: "location"},
	{in: "object", out: "object"},
}

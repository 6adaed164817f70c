package callback

import "livebridge/bridge"

// recording is the Live callback for a recording's change of state.
var recording = definition{
	kind:        bridge.KindRecord,
	unknownType: "com.huaweicloud.live.record" + bridge.TypeUnknownSuffix,
	events: []eventSpec{
		{name: "RECORD_START", ceType: "com.huaweicloud.live.record.start"},
		{name: "RECORD_NEW_FILE_START", ceType: "com.huaweicloud.live.record.new_file_start"},
		{name: "RECORD_FILE_COMPLETE", ceType: "com.huaweicloud.live.record.file_complete", selfIdentifying: true},
		{name: "RECORD_OVER", ceType: "com.huaweicloud.live.record.over"},
		{name: "RECORD_FAILED", ceType: "com.huaweicloud.live.record.failed"},
	},
	members: []member{
		{in: "app", out: "app", role: roleApp, need: required, limit: appMax},
		{in: "asset_id", out: "asset_id"},
		{in: "publish_domain", out: "domain", shape: host, role: roleDomain, need: required, limit: domainMax},
		{in: "download_url", out: "download_url", role: roleDownload},
		{in: "end_time", out: "end_time", shape: instant, role: roleEnd},
		{in: "error_message", out: "error_message"},
		{in: "event_type", out: "event", role: roleEvent, need: required},
		{in: "file_size", out: "file_size", shape: integer},
		{in: "height", out: "height", shape: integer},
		{in: "job_id", out: "job_id"},
		{in: "obs_bucket", out: "obs_bucket"},
		{in: "obs_location", out: "obs_location"},
		{in: "obs_object", out: "obs_object"},
		{in: "play_url", out: "play_url", role: rolePlay},
		{in: "project_id", out: "project_id"},
		{in: "record_duration", out: "record_duration", shape: integer},
		{in: "record_format", out: "record_format"},
		{in: "start_time", out: "start_time", shape: instant, role: roleStart},
		{in: "stream", out: "stream", role: roleStream, need: required, limit: streamMax},
		{in: "task_id", out: "task_id"},
		{out: "unrecognized", shape: unrecognized},
		{in: "width", out: "width", shape: integer},
		{in: "auth_sign", shape: signing, role: roleAuthSign},
		{in: "auth_timestamp", shape: signing, role: roleAuthTimestamp},
	},
}

package callback

import "livebridge/bridge"

// rtcRecording is the SparkRTC callback for a recording's change of state. It is signed in headers, so auth_sign and
// auth_timestamp have no meaning here; if present they are kept out of the data all the same.
var rtcRecording = definition{
	kind:        bridge.KindRTCRecord,
	unknownType: "com.huaweicloud.rtc.record" + bridge.TypeUnknownSuffix,
	events: []eventSpec{
		{name: "RECORD_NEW_FILE_START", ceType: "com.huaweicloud.rtc.record.new_file_start"},
		{name: "RECORD_FILE_COMPLETE", ceType: "com.huaweicloud.rtc.record.file_complete", selfIdentifying: true},
		{name: "CLOUD_RECORD_SERVER_OVER", ceType: "com.huaweicloud.rtc.record.server_over"},
	},
	members: []member{
		{in: "app_id", out: "app_id", role: roleDomain, need: required, limit: appMax},
		{in: "detail_message", out: "detail_message"},
		{in: "download_url", out: "download_url", role: roleDownload},
		{in: "end_time", out: "end_time", shape: instant, role: roleEnd},
		{in: "event_type", out: "event", role: roleEvent, need: required},
		{in: "file_size", out: "file_size", shape: integer},
		{in: "height", out: "height", shape: integer},
		{in: "job_id", out: "job_id"},
		{in: "obs_bucket", out: "obs_bucket"},
		{in: "obs_location", out: "obs_location"},
		{in: "obs_object", out: "obs_object"},
		{in: "record_duration", out: "record_duration", shape: integer},
		{in: "record_format", out: "record_format"},
		{in: "room_id", out: "room_id", role: roleApp, limit: streamMax},
		{in: "start_time", out: "start_time", shape: instant, role: roleStart},
		{in: "stream_name", out: "stream", role: roleStream, need: required, limit: streamMax},
		{out: "unrecognized", shape: unrecognized},
		{in: "width", out: "width", shape: integer},
		{in: "auth_sign", shape: signing, role: roleAuthSign},
		{in: "auth_timestamp", shape: signing, role: roleAuthTimestamp},
	},
}

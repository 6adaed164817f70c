{{- /* Names in "secretKeys" become settings that name a file; KEYS_FILE is one already. */}}
{{- define "livebridge.fileSetting" -}}
{{- if hasSuffix "_FILE" . }}{{ . }}{{ else }}{{ . }}_FILE{{ end }}
{{- end }}

{{- /* The settings that the chart makes of other values, as YAML. */}}
{{- define "livebridge.ownSettings" -}}
DATA_DIR: /data/livebridge # livebridge creates it with mode 0700, which the root of a volume seldom has
LISTEN: {{ printf ":%d" (int .Values.ports.callbacks) | quote }}
# The kubelet's probes and Prometheus do not come from loopback. The network policy restricts access to the port.
ADMIN_LISTEN: {{ printf ":%d" (int .Values.ports.admin) | quote }}
SHUTDOWN_DELAY: {{ printf "%ds" (int .Values.shutdown.delaySeconds) }}
SHUTDOWN_GRACE: {{ printf "%ds" (int .Values.shutdown.graceSeconds) }}
TRANSPORT: {{ .Values.transport }}
{{- if .Values.existingSecret }}
{{- range $setting, $key := .Values.secretKeys }}
{{ include "livebridge.fileSetting" $setting }}: /run/secrets/livebridge/keys/{{ $key }}
{{- end }}
{{- else if ne (toString .Values.settings.UNSIGNED) "accept" }}
{{- fail "existingSecret is required: the Secret with the keys that verify callbacks (or, for trials, settings.UNSIGNED: accept)" }}
{{- end }}
{{- if .Values.tls.existingSecret }}
TLS_CERT_FILE: /run/secrets/livebridge/tls/tls.crt
TLS_KEY_FILE: /run/secrets/livebridge/tls/tls.key
{{- end }}
{{- if eq .Values.workload "replicas" }}
INTAKE: broker
INTAKE_FALLBACK: {{ .Values.replicas.fallback }}
INTAKE_GROUP: {{ .Values.replicas.group | default (include "livebridge.fullname" .) }}
{{- end }}
{{ include (printf "livebridge.%sSettings" .Values.transport) . }}
{{- end }}

{{- define "livebridge.natsSettings" -}}
{{- $nats := .Values.nats }}
{{- if $nats.url }}
NATS_URL: {{ join "," $nats.url | quote }}
NATS_REPLICAS: {{ $nats.replicas | quote }}
{{- include "livebridge.natsAuthSettings" . }}
{{- include "livebridge.tlsSettings" (dict "prefix" "NATS" "tls" $nats.tls) }}
{{- else if $nats.embedded.expose }}
NATS_EMBEDDED_LISTEN: {{ printf ":%d" (int .Values.ports.nats) | quote }}
{{- $_ := required "nats.embedded.existingSecret is required with nats.embedded.expose: the Secret with the token of consumers" $nats.embedded.existingSecret }}
NATS_EMBEDDED_TOKEN_FILE: /run/secrets/livebridge/broker/{{ $nats.embedded.tokenKey }}
{{- else }}
NATS_EMBEDDED_LISTEN: {{ printf "127.0.0.1:%d" (int .Values.ports.nats) | quote }}
{{- end }}
{{- end }}

{{- define "livebridge.natsAuthSettings" -}}
{{- $auth := .Values.nats.auth }}
{{- range $setting, $key := dict "NATS_CREDS" $auth.credsKey "NATS_NKEY" $auth.nkeyKey "NATS_TOKEN" $auth.tokenKey "NATS_PASSWORD" $auth.passwordKey }}
{{- if $key }}
{{- $_ := required "nats.auth.existingSecret is required: the Secret that has the keys which nats.auth names" $auth.existingSecret }}
{{ $setting }}_FILE: /run/secrets/livebridge/broker/{{ $key }}
{{- end }}
{{- end }}
{{- with $auth.user }}
NATS_USER: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "livebridge.kafkaSettings" -}}
{{- $kafka := .Values.kafka }}
KAFKA_BROKERS: {{ required "kafka.brokers is required with transport: kafka" (join "," $kafka.brokers) | quote }}
KAFKA_TOPIC: {{ $kafka.topic | quote }}
KAFKA_CREATE_TOPIC: {{ $kafka.createTopic | quote }}
KAFKA_PARTITIONS: {{ $kafka.partitions | quote }}
KAFKA_REPLICATION: {{ $kafka.replication | quote }}
{{- if ne $kafka.sasl.mechanism "none" }}
KAFKA_SASL: {{ $kafka.sasl.mechanism }}
KAFKA_USER: {{ required "kafka.sasl.user is required with kafka.sasl.mechanism" $kafka.sasl.user | quote }}
{{- $_ := required "kafka.sasl.existingSecret is required with kafka.sasl.mechanism: the Secret with the password" $kafka.sasl.existingSecret }}
KAFKA_PASSWORD_FILE: /run/secrets/livebridge/broker/{{ $kafka.sasl.passwordKey }}
{{- end }}
{{- if $kafka.tls.enabled }}
KAFKA_TLS: "true"
{{- include "livebridge.tlsSettings" (dict "prefix" "KAFKA" "tls" $kafka.tls) }}
{{- end }}
{{- end }}

{{- define "livebridge.tlsSettings" -}}
{{- if or .tls.ca.existingSecret .tls.ca.existingConfigMap }}
{{ .prefix }}_TLS_CA_FILE: /run/secrets/livebridge/broker-ca/{{ .tls.ca.key }}
{{- end }}
{{- if ne .tls.verify "full" }}
{{ .prefix }}_TLS_VERIFY: {{ .tls.verify }}
{{- end }}
{{- with .tls.serverName }}
{{ $.prefix }}_TLS_SERVER_NAME: {{ . | quote }}
{{- end }}
{{- if .tls.clientSecret }}
{{ .prefix }}_TLS_CERT_FILE: /run/secrets/livebridge/broker-client/tls.crt
{{ .prefix }}_TLS_KEY_FILE: /run/secrets/livebridge/broker-client/tls.key
{{- end }}
{{- end }}

{{- /* All settings as a container's environment. */}}
{{- define "livebridge.env" -}}
{{- $own := include "livebridge.ownSettings" . | fromYaml }}
{{- with $own.Error }}{{ fail . }}{{ end }}
{{- range $name, $_ := .Values.settings }}
{{- if or (hasKey $own $name) (hasKey $own (printf "%s_FILE" $name)) }}
{{- fail (printf "settings.%s is made of other values of the chart: set those, and remove it" $name) }}
{{- end }}
{{- end }}
{{- range $name, $value := merge (dict) $own .Values.settings }}
- {name: LIVEBRIDGE_{{ $name }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

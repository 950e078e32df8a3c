{{- /*
Security contexts: the chart's, and what the values say in the place of each field that they name. Where a field of the
values contradicts one of the chart's, the chart's is left out: kubelet and the API server refuse both together.
*/ -}}

{{- define "berth.replaced" -}}
{{- $made := deepCopy (index . 0) -}}
{{- range $key, $value := default dict (index . 1) -}}
{{- if kindIs "invalid" $value }}{{ $_ := unset $made $key }}{{ else }}{{ $_ := set $made $key $value }}{{ end -}}
{{- end -}}
{{- toYaml $made -}}
{{- end -}}

{{- define "berth.podSecurityContext" -}}
{{- $said := default dict .Values.podSecurityContext -}}
{{- $ofContainer := default dict .Values.securityContext -}}
{{- $made := dict "runAsNonRoot" true "runAsUser" 65532 "runAsGroup" 65532 -}}
{{- if and .Values.nfs.mount (not $said.runAsNonRoot) (not $ofContainer.runAsNonRoot) -}}
{{- $made = dict "runAsUser" 0 "runAsGroup" 0 -}}
{{- end -}}
{{- $user := include "berth.user" (list $said $ofContainer) -}}
{{- if eq $user "0" -}}
{{- if or (include "berth.isTrue" (list $said "runAsNonRoot")) (include "berth.isTrue" (list $ofContainer "runAsNonRoot")) -}}
{{- fail "podSecurityContext and securityContext say runAsUser: 0 and runAsNonRoot: true: kubelet starts no such container; leave one of them out" -}}
{{- end -}}
{{- $_ := unset $made "runAsNonRoot" -}}
{{- end -}}
{{- $_ := set $made "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- if eq (include "berth.reservedPort" .) "sysctl" -}}
{{- $sysctls := list (dict "name" "net.ipv4.ip_unprivileged_port_start" "value" "0") -}}
{{- range default list $said.sysctls -}}
{{- if eq .name "net.ipv4.ip_unprivileged_port_start" }}{{ $sysctls = list }}{{ end -}}
{{- end -}}
{{- $said = set (deepCopy $said) "sysctls" (concat $sysctls (default list $said.sysctls)) -}}
{{- end -}}
{{- include "berth.replaced" (list $made $said) -}}
{{- end -}}

{{- define "berth.securityContext" -}}
{{- $said := default dict .Values.securityContext -}}
{{- $capabilities := dict "drop" (list "ALL") -}}
{{- $ofValues := default dict $said.capabilities -}}
{{- if and (eq (include "berth.reservedPort" .) "capability") (not .Values.nfs.mount) (not (has "NET_BIND_SERVICE" (default list $ofValues.drop))) -}}
{{- $_ := set $capabilities "add" (list "NET_BIND_SERVICE") -}}
{{- end -}}
{{- $made := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true -}}
{{- $gains := or (include "berth.isTrue" (list $said "privileged")) (has "SYS_ADMIN" (default list $ofValues.add)) (has "CAP_SYS_ADMIN" (default list $ofValues.add)) -}}
{{- if $gains -}}
{{- if include "berth.isFalse" (list $said "allowPrivilegeEscalation") -}}
{{- fail "securityContext says allowPrivilegeEscalation: false beside privileged: true or SYS_ADMIN: the API server refuses such a container; leave one of them out" -}}
{{- end -}}
{{- $_ := unset $made "allowPrivilegeEscalation" -}}
{{- end -}}
{{- $replaced := include "berth.replaced" (list $capabilities $ofValues) | fromYaml -}}
{{- $said = set (deepCopy $said) "capabilities" $replaced -}}
{{- include "berth.replaced" (list $made $said) -}}
{{- end -}}

{{- /* The user that the values name, the container's before the pod's; empty where they name none. */ -}}
{{- define "berth.user" -}}
{{- $pod := index . 0 -}}
{{- $container := index . 1 -}}
{{- if hasKey $container "runAsUser" }}{{ $container.runAsUser }}{{ else if hasKey $pod "runAsUser" }}{{ $pod.runAsUser }}{{ end -}}
{{- end -}}

{{- define "berth.isTrue" -}}
{{- if eq "true" (toString (get (index . 0) (index . 1))) }}true{{ end -}}
{{- end -}}

{{- define "berth.isFalse" -}}
{{- if eq "false" (toString (get (index . 0) (index . 1))) }}true{{ end -}}
{{- end -}}

{{- /* What the values say of resources is said instead of the chart's, not beside it: a request above a limit is refused. */ -}}
{{- define "berth.resources" -}}
{{- if kindIs "invalid" .Values.resources -}}
requests: {cpu: 10m, memory: 64Mi}
limits: {memory: 512Mi}
{{- else -}}
{{- toYaml .Values.resources -}}
{{- end -}}
{{- end -}}

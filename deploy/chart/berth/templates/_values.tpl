{{- /*
Values as the templates read them: `include "berth.read" .` stands before the first use of .Values in every file.
Argo CD's parameters and Flux's substitutions are strings: "true", "false" and digits become what they say; a string
"false" must not count as true. Where Kubernetes wants strings, numbers and booleans become those.
*/ -}}
{{- define "berth.read" -}}
{{- $values := .Values -}}
{{- $booleans := dict
  "" (list "buildMode")
  "image" (list "isThere")
  "nfs" (list "mount")
  "storageClass" (list "create" "defaultClass" "allowVolumeExpansion")
  "leaderElection" (list "enabled")
  "networkPolicy" (list "enabled")
  "podDisruptionBudget" (list "enabled")
  "rbac" (list "create")
  "podSecurityPolicy" (list "enabled")
  "serviceAccount" (list "create")
  "serviceMonitor" (list "enabled")
  "prometheusRule" (list "enabled")
  "grafanaDashboard" (list "enabled")
  "kubesphere" (list "provisionerCapability")
  "podSecurityContext" (list "runAsNonRoot")
  "securityContext" (list "runAsNonRoot" "privileged" "allowPrivilegeEscalation" "readOnlyRootFilesystem") -}}
{{- range $section, $keys := $booleans -}}
{{- $within := ternary $values (get $values $section) (eq $section "") | default dict -}}
{{- range $key := $keys -}}
{{- if and (hasKey $within $key) (kindIs "string" (get $within $key)) -}}
{{- $_ := set $within $key (eq "true" (lower (get $within $key))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $numbers := dict
  "" (list "replicaCount")
  "podSecurityContext" (list "runAsUser" "runAsGroup" "fsGroup")
  "securityContext" (list "runAsUser" "runAsGroup") -}}
{{- range $section, $keys := $numbers -}}
{{- $within := ternary $values (get $values $section) (eq $section "") | default dict -}}
{{- range $key := $keys -}}
{{- if and (hasKey $within $key) (kindIs "string" (get $within $key)) -}}
{{- $_ := set $within $key (int64 (get $within $key)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range default list $values.tolerations -}}
{{- if kindIs "string" .tolerationSeconds }}{{ $_ := set . "tolerationSeconds" (int64 .tolerationSeconds) }}{{ end -}}
{{- end -}}
{{- with $values.podSecurityContext -}}
{{- $groups := list -}}
{{- range default list .supplementalGroups }}{{ $groups = append $groups (int64 .) }}{{ end -}}
{{- if $groups }}{{ $_ := set . "supplementalGroups" $groups }}{{ end -}}
{{- end -}}
{{- $texts := dict
  "" (list "labels" "podAnnotations" "nodeSelector")
  "storageClass" (list "annotations" "parameters")
  "serviceAccount" (list "annotations")
  "serviceMonitor" (list "labels")
  "prometheusRule" (list "labels")
  "grafanaDashboard" (list "labels") -}}
{{- range $section, $keys := $texts -}}
{{- $within := ternary $values (get $values $section) (eq $section "") | default dict -}}
{{- range $key := $keys -}}
{{- $said := get $within $key -}}
{{- range $name, $value := default dict $said -}}
{{- $_ := set $said $name (include "berth.text" $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* A value as text. Helm reads all numbers as floats, and would print 1e+06. */ -}}
{{- define "berth.text" -}}
{{- if kindIs "invalid" . -}}
{{- else if and (kindIs "float64" .) (eq . (floor .)) }}{{ int64 . }}{{ else }}{{ toString . }}{{ end -}}
{{- end -}}

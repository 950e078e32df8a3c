{{- define "berth.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "berth.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 53 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "berth.selectorLabels" -}}
app.kubernetes.io/name: {{ include "berth.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "berth.labels" -}}
{{- $labels := include "berth.selectorLabels" . | fromYaml -}}
{{- range $key := keys $labels -}}
{{- if hasKey (default dict $.Values.labels) $key -}}
{{- fail (printf "labels: %s is what the Deployment finds its pods by, and can't be another one" $key) -}}
{{- end -}}
{{- end -}}
{{- $_ := set $labels "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") -}}
{{- toYaml (mergeOverwrite $labels (deepCopy (default dict .Values.labels))) -}}
{{- end -}}

{{- /* Those of the pods: rules of affinity that were written for an older chart select by `app` and `release`. */ -}}
{{- define "berth.podLabels" -}}
{{- $labels := include "berth.labels" . | fromYaml -}}
{{- with include "berth.olderChart" . -}}
{{- $app := default . $.Values.nameOverride -}}
{{- $labels = merge $labels (dict "app" ($app | trunc 63 | trimSuffix "-") "release" $.Release.Name) -}}
{{- end -}}
{{- toYaml $labels -}}
{{- end -}}

{{- /*
The older chart that the values were written for, where they or the release's name tell; else empty. KubeSphere's chart
is nfs-client-provisioner with the other one's image.
*/ -}}
{{- define "berth.olderChart" -}}
{{- $telling := list .Release.Name (toJson .Values.affinity) (toString .Values.nfs.volumeName) -}}
{{- $told := join " " $telling -}}
{{- $image := .Values.image.repository -}}
{{- if or (contains "nfs-client-provisioner" $told) (contains "kubesphere" $image) (contains "nfs-client-provisioner" $image) -}}
nfs-client-provisioner
{{- else if contains "nfs-subdir-external-provisioner" (printf "%s %s" $told $image) -}}
nfs-subdir-external-provisioner
{{- end -}}
{{- end -}}

{{- define "berth.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "berth.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* The full name that the older chart would have given, where the values were written for one. */ -}}
{{- define "berth.olderFullname" -}}
{{- with include "berth.olderChart" . -}}
{{- $name := default . $.Values.nameOverride -}}
{{- if $.Values.fullnameOverride -}}
{{- $.Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name $.Release.Name -}}
{{- $.Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" $.Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
A class's provisioner can't be changed: one that is there keeps its own, whichever chart made it. Argo CD and
`helm template` can't look; there it is what the older chart made, where the values tell which.
*/ -}}
{{- define "berth.provisionerName" -}}
{{- $seen := dict -}}
{{- $there := "" -}}
{{- if .Values.storageClass.create -}}
{{- $seen = lookup "storage.k8s.io/v1" "StorageClass" "" "" -}}
{{- range default list $seen.items -}}
{{- if eq .metadata.name $.Values.storageClass.name }}{{ $there = .provisioner }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if .Values.storageClass.provisionerName -}}
{{- .Values.storageClass.provisionerName -}}
{{- else if $there -}}
{{- $there -}}
{{- else if $seen -}}
cluster.local/{{ include "berth.fullname" . }}
{{- else -}}
cluster.local/{{ include "berth.olderFullname" . | default (include "berth.fullname" .) }}
{{- end -}}
{{- end -}}

{{- define "berth.provisionerNames" -}}
{{- concat (list (include "berth.provisionerName" .)) (default list .Values.provisionerNames) | uniq | join "," -}}
{{- end -}}

{{- /* What only looks at the chart (`helm lint`, `ksbuilder lint`) installs nothing, and has no server to name. */ -}}
{{- define "berth.isOnlyLookedAt" -}}
{{- if not (or .Release.IsInstall .Release.IsUpgrade) -}}true{{- end -}}
{{- end -}}

{{- define "berth.server" -}}
{{- if and (not .Values.nfs.server) (include "berth.isOnlyLookedAt" .) -}}
nfs.example.com
{{- else -}}
{{- required "nfs.server is not set: name the NFS server, as in --set nfs.server=nfs.example.com" .Values.nfs.server -}}
{{- end -}}
{{- end -}}

{{- /* In front of a path an IPv6 address stands in brackets: kubelets before 1.22 mount it only so. */ -}}
{{- define "berth.mountedServer" -}}
{{- $server := include "berth.server" . -}}
{{- if and (contains ":" $server) (not (hasPrefix "[" $server)) -}}[{{ $server }}]{{- else -}}{{ $server }}{{- end -}}
{{- end -}}

{{- define "berth.path" -}}
{{- if and (not .Values.nfs.path) (include "berth.isOnlyLookedAt" .) -}}
/srv/nfs/k8s
{{- else -}}
{{- required "nfs.path is not set: name the path that the server exports, as in --set nfs.path=/srv/nfs/k8s" .Values.nfs.path -}}
{{- end -}}
{{- end -}}

{{- define "berth.replicas" -}}
{{- if .Values.leaderElection.enabled }}{{ .Values.replicaCount }}{{ else }}1{{ end -}}
{{- end -}}

{{- define "berth.reservedPort" -}}
{{- if ne .Values.reservedPort "auto" -}}
{{- .Values.reservedPort -}}
{{- else if .Values.nfs.mount -}}
none
{{- else -}}
capability
{{- end -}}
{{- end -}}

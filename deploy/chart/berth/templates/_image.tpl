{{- /* The image: whose it is, from which registry, and whether nodes can have it. */ -}}

{{- /* Values files name the image of the provisioner that they were written for; it can't be Berth's. */ -}}
{{- define "berth.isOthersImage" -}}
{{- if regexMatch "nfs-(client|subdir-external)-provisioner(-arm)?$" .Values.image.repository -}}true{{- end -}}
{{- end -}}

{{- /*
A repository that begins with a registry is whole. global.imageRegistry is a mirror: it stands in the place of whatever
registry there is. A digest stands in the place of the tag.
*/ -}}
{{- define "berth.image" -}}
{{- $repository := .Values.image.repository -}}
{{- $which := printf ":%s" (default .Chart.AppVersion .Values.image.tag | toString) -}}
{{- with .Values.image.digest }}{{ $which = printf "@%s" . }}{{ end -}}
{{- if include "berth.isOthersImage" . -}}
{{- $repository = include "berth.home.repository" . -}}
{{- $which = printf ":%s" .Chart.AppVersion -}}
{{- end -}}
{{- $registry := .Values.image.registry | default "" -}}
{{- $parts := splitList "/" $repository -}}
{{- if and (gt (len $parts) 1) (regexMatch "[.:A-Z]|^localhost$" (first $parts)) -}}
{{- $registry = first $parts -}}
{{- $repository = join "/" (rest $parts) -}}
{{- end -}}
{{- $registry = dig "imageRegistry" "" (default dict .Values.global) | default $registry -}}
{{- if $registry }}{{ trimSuffix "/" $registry }}/{{ end }}{{ $repository }}{{ $which }}
{{- end -}}

{{- /* Whether no registry that a node asks can have it: a name without one, or of localhost. */ -}}
{{- define "berth.isNobodysImage" -}}
{{- if regexMatch "^(localhost/.*|((index\\.)?docker\\.io/)?(library/)?[^/]+)$" (include "berth.image" .) -}}true{{- end -}}
{{- end -}}

{{- /* What is said of such an image, for a comment, the notes, and where it is refused. */ -}}
{{- define "berth.howToGetImage" -}}
`berth image push REGISTRY/NAME` puts it into your registry (then: --set image.repository=REGISTRY/NAME), or `berth image load` imports it, on each node
{{- end -}}

{{- /*
Refuses an image that no node can have, before anything is made. Only nodes on which the pods may run are looked at, and
only where Helm can look: not by `helm template` and Argo CD. What runs with it already has it.
*/ -}}
{{- define "berth.checkImage" -}}
{{- if and (include "berth.isNobodysImage" .) (not .Values.image.isThere) -}}
{{- $image := include "berth.image" . -}}
{{- $there := lookup "apps/v1" "Deployment" .Release.Namespace (include "berth.fullname" .) | default dict -}}
{{- $has := false -}}
{{- if dig "status" "readyReplicas" 0 $there -}}
{{- range $there.spec.template.spec.containers }}{{ if eq .image $image }}{{ $has = true }}{{ end }}{{ end -}}
{{- end -}}
{{- $looked := 0 -}}
{{- if not $has -}}
{{- $name := regexReplaceAll "^((index\\.)?docker\\.io/)?(library/)?" $image "" -}}
{{- $told := list $image $name (printf "docker.io/%s" $name) (printf "docker.io/library/%s" $name) -}}
{{- range default list (lookup "v1" "Node" "" "").items -}}
{{- $shuts := .spec.unschedulable | default false -}}
{{- if not $.Values.tolerations -}}
{{- range default list .spec.taints }}{{ if ne .effect "PreferNoSchedule" }}{{ $shuts = true }}{{ end }}{{ end -}}
{{- end -}}
{{- if not $shuts -}}
{{- $looked = add1 $looked -}}
{{- range default list .status.images }}{{ range default list .names }}{{ if has . $told }}{{ $has = true }}{{ end }}{{ end }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $looked (not $has) -}}
{{- fail (printf "no registry has the image %s, and no node says that it has it (%d looked at): its pods would never start. %s; where a mirror has it, or the nodes do without saying so (of a new image they tell within a minute): --set image.isThere=true. Nothing was changed" $image (int $looked) (include "berth.howToGetImage" .)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Those of the values and those of all charts (global), as names or as objects with a name. */ -}}
{{- define "berth.pullSecrets" -}}
{{- $names := list -}}
{{- range concat (default list .Values.imagePullSecrets) (default list (dig "imagePullSecrets" list (default dict .Values.global))) -}}
{{- if kindIs "string" . }}{{ $names = append $names . }}{{ else }}{{ $names = append $names .name }}{{ end -}}
{{- end -}}
{{- range uniq $names }}
- name: {{ . | quote }}
{{- end -}}
{{- end -}}

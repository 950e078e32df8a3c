"""Taking over from the provisioners that people run today, and going back: one step a file; apply and revert put them
in order.

old (who provisions now) -> inventory (whose volumes lie where) -> classes, volumes, share (what is wrong) -> plan; then
workloads, locks, records. No PV and no claim is changed, no directory touched: records are written below `.berth/`, and
two annotations on the old Deployments say what to go back to.
"""

"""`quanyu rule`: writing, checking and trying out rules, on the command line and in editors."""

"""`quanyu demo`: the main job, end to end, on a real world of shoppers and a made one."""

started_at >= {start:DateTime('UTC')} AND started_at < {end:DateTime('UTC')}
    AND ({organization:String} = '' OR organization = {organization:String})
    AND ({project:String} = '' OR project = {project:String})
    AND ({model:String} = '' OR model = {model:String})

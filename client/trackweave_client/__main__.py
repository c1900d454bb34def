from trackweave_client.cli import main

raise SystemExit(main())

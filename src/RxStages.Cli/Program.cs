Console.Error.WriteLine("rxstages: no subcommand yet");
return 2;
